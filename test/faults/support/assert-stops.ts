import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultServer } from './fault-server.ts';

/** Requests in flight get 5 s, and no step runs here (docs/guide/embedded-mode.md, "Stopping"); the rest is for a busy machine. */
const patienceMs = 20_000;

/** Asserts that a server ends when it is asked to, whatever its storage does meanwhile. */
export async function assertStops(server: FaultServer): Promise<void> {
  const given = new AbortController();
  try {
    const code = await Promise.race([server.stop('SIGTERM'), delay(patienceMs, 'still running' as const, { signal: given.signal })]);
    assert.equal(code, 0, `after SIGTERM the server is ${code}`);
  } finally {
    given.abort();
  }
}
