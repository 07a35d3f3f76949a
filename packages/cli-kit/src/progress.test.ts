import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import { memoryStreams } from './memory-streams.ts';
import { createProgressDisplay } from './progress.ts';
import type { ProgressItem } from './progress.ts';
import { displayWidth } from './text.ts';

const running: ProgressItem = { id: '1', label: 'nginx', state: 'running', step: 'copy', doneBytes: 0, totalBytes: 10_000_000 };

/** What a terminal would show after these bytes: enough of an emulator for cursor up, carriage return, erase below. */
function screen(text: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  for (const [token] of text.matchAll(/\u001B\[(\d*)([A-Z])|\n|\r|[^\u001B\n\r]+/g)) {
    const control = /^\u001B\[(\d*)([A-Z])$/.exec(token);
    if (control?.[2] === 'A') row -= Number(control[1]);
    else if (control?.[2] === 'J') lines.splice(row, lines.length, '');
    else if (token === '\n') lines[++row] ??= '';
    else if (token !== '\r') lines[row] = (lines[row] ?? '') + token;
  }
  return lines.slice(0, -1);
}

test('on a terminal the items are redrawn in place and the last state stays', async () => {
  const { stderr } = memoryStreams({ isTerminal: true, width: 100 });
  const clock = new FakeClock();
  using display = createProgressDisplay(stderr, clock);
  display.update([running, { id: '2', label: 'redis', state: 'waiting', message: 'queued' }]);
  await clock.advance(1000);
  display.update([
    { ...running, doneBytes: 5_000_000 },
    { id: '2', label: 'redis', state: 'running' },
  ]);
  display.note('retrying redis');
  const shown = screen(stderr.text);
  assert.deepEqual(shown[0], 'retrying redis');
  assert.match(shown[1] ?? '', /^> nginx +\[==== {4}\] +50% 5\.00 MB of 10\.0 MB 5\.00 MB\/s +copy$/);
  assert.match(shown[2] ?? '', /^> redis/);
  assert.match(shown[3] ?? '', /^ {2}0 of 2 done, 2 running, 5\.00 MB of 10\.0 MB, 5\.00 MB\/s$/);
  assert.equal(shown.length, 4);
});

test('redrawing is throttled and the newest state wins', async () => {
  const { stderr } = memoryStreams({ isTerminal: true });
  const clock = new FakeClock();
  const display = createProgressDisplay(stderr, clock);
  display.update([running]);
  const first = stderr.text.length;
  for (let done = 1; done <= 50; done++) display.update([{ ...running, doneBytes: done * 100_000 }]);
  assert.equal(stderr.text.length, first);
  await clock.advance(100);
  assert.match(screen(stderr.text).join('\n'), /50%/);
  display.update([{ ...running, state: 'failed', message: 'source: 404' }]);
  display.finish();
  assert.match(screen(stderr.text).join('\n'), /^✗ nginx +copy: source: 404$/);
  assert.equal(clock.pendingTimers, 0);
});

test('no line is wider than the terminal and there are never more lines than fit', () => {
  for (const width of [20, 40, 72, 80, 120, 200]) {
    const { stderr } = memoryStreams({ isTerminal: true, width, height: 10 });
    const items = Array.from({ length: 200 }, (_, index): ProgressItem => ({
      ...running,
      id: `${index}`,
      label: `registry.example/a/very/long/repository-${index}`,
      state: index === 150 ? 'failed' : index % 2 === 0 ? 'succeeded' : 'running',
      doneBytes: 9_999_999,
      message: 'something long to say about 日本 that does not fit',
    }));
    createProgressDisplay(stderr, new FakeClock()).update(items);
    const shown = screen(stderr.text);
    assert.ok(shown.length <= 9, `${shown.length} lines`);
    for (const line of shown) assert.ok(displayWidth(line) < width, `${displayWidth(line)} of ${width}: ${line}`);
    assert.ok(
      shown.some((line) => line.startsWith('✗')),
      'what failed is shown',
    );
  }
});

test('elsewhere a line is written when something changes, and now and then while bytes move', async () => {
  const { stderr } = memoryStreams();
  const clock = new FakeClock();
  const display = createProgressDisplay(stderr, clock);
  for (let second = 0; second < 11; second++) {
    display.update([{ ...running, doneBytes: second * 1_000_000 }]);
    await clock.advance(1000);
  }
  display.update([{ ...running, state: 'succeeded', doneBytes: 10_000_000 }]);
  display.update([{ ...running, state: 'succeeded', doneBytes: 10_000_000 }]);
  assert.deepEqual(stderr.text.split('\n'), [
    'nginx: running, 0% 0 B of 10.0 MB, copy',
    'nginx: running, 50% 5.00 MB of 10.0 MB 1.00 MB/s, copy',
    'nginx: running, 100% 10.0 MB of 10.0 MB 1.00 MB/s, copy',
    'nginx: done, 100% 10.0 MB of 10.0 MB',
    '',
  ]);
});

test('text from elsewhere cannot steer the terminal', () => {
  const { stderr } = memoryStreams();
  createProgressDisplay(stderr, new FakeClock()).update([{ id: '1', label: 'a', state: 'failed', message: 'two\nlines \u001B[2J' }]);
  assert.equal(stderr.text, 'a: failed, two lines ^[[2J\n');
});
