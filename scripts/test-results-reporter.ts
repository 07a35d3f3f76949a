import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

/** A reporter for Node's test runner: one JSON line for every test that is not a suite. */
export default async function* testResults(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    if (event.data.details.type === 'suite') continue;
    const { name, file, skip } = event.data;
    const where = { name, file: relative(process.cwd(), file ?? '') };
    if (event.type === 'test:fail') {
      yield `${JSON.stringify({ ...where, outcome: 'failed', reason: textOf(event.data.details.error) })}\n`;
    } else if (skip === undefined || skip === false) {
      yield `${JSON.stringify({ ...where, outcome: 'passed' })}\n`;
    } else {
      yield `${JSON.stringify({ ...where, outcome: 'skipped', reason: typeof skip === 'string' ? skip : undefined })}\n`;
    }
  }
}

function textOf(error: Error): string {
  const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause ?? error.message);
  return cause.split('\n').slice(0, 30).join('\n');
}
