import { parentPort, workerData } from 'node:worker_threads';
import { Database } from './database.ts';
import { failureOf } from './failure.ts';
import type { Calls, DatabaseOptions, Reply, Request } from './protocol.ts';

const port = parentPort;
if (port === null) throw new Error('the database thread was started as a program');
const options = workerData as DatabaseOptions;

try {
  const database = new Database(options);
  port.on('message', (request: Request) => serve(database, request));
  reply({ id: 0, opened: database.state });
} catch (error) {
  reply({ id: 0, failure: failureOf(error, options.file) });
}

function serve(database: Database, request: Request): void {
  try {
    const value = call(database, request);
    reply({ id: request.id, value }, buffersOf(value));
    if (request.name === 'close') port?.close();
  } catch (error) {
    reply({ id: request.id, failure: failureOf(error, options.file) });
    // Ends the thread, and with it the lock on the file: only a new process can help.
    if (!database.isUsable) throw error;
  }
}

function call(database: Database, request: Request): Calls[keyof Calls]['reply'] {
  switch (request.name) {
    case 'commit':
      return database.commit(request.args);
    case 'get':
      return database.get(request.args);
    case 'range':
      return database.range(request.args);
    case 'log':
      return database.log(request.args);
    case 'compact':
      return database.compact(request.args);
    case 'close':
      return database.close(request.args);
  }
}

function reply(message: Reply, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function buffersOf(value: Calls[keyof Calls]['reply']): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  if ('values' in value) buffers.push(value.values.buffer);
  if ('priorValues' in value) buffers.push(value.priorValues.buffer);
  return buffers;
}
