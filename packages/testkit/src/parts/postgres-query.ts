import { once } from 'node:events';
import { connect } from 'node:net';

interface Target {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/**
 * Runs one statement over PostgreSQL's simple query protocol (version 3.0) as a user who needs no password; only to set up
 * test databases, without a driver. Rejects with the server's message.
 */
export async function runSimpleQuery(target: Target, statement: string): Promise<void> {
  const socket = connect(target.port, target.host);
  try {
    socket.write(startupMessage(target));
    let sent = false;
    let received = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      for (; received.length >= 5 && received.length > received.readInt32BE(1); received = received.subarray(1 + received.readInt32BE(1))) {
        const type = String.fromCharCode(received[0] ?? 0);
        if (type === 'E') throw new Error(errorText(received.subarray(5, 1 + received.readInt32BE(1))));
        if (type !== 'Z') continue;
        if (sent) return;
        socket.write(message('Q', Buffer.from(`${statement}\0`)));
        sent = true;
      }
    }
    throw new Error('PostgreSQL closed the connection');
  } finally {
    if (!socket.destroyed) {
      socket.destroy();
      await once(socket, 'close');
    }
  }
}

function startupMessage({ user, database }: Target): Buffer {
  const body = Buffer.concat([Buffer.of(0, 3, 0, 0), Buffer.from(`user\0${user}\0database\0${database}\0\0`)]);
  return message('', body);
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), head, body]);
}

/** The `M` field of an ErrorResponse. */
function errorText(fields: Buffer): string {
  const message = fields
    .toString('utf8')
    .split('\0')
    .find((field) => field.startsWith('M'));
  return message?.slice(1) ?? 'unknown error';
}
