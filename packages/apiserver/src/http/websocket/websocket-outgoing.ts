import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { http } from '@arc/kernel';
import type { Outgoing } from '../exchange.ts';
import { closePayload, encodeFrame, frameReader } from './frames.ts';
import { offeredProtocols, switchingProtocols } from './handshake.ts';

const normalClosure = 1000;
const protocolError = 1002;
/** How long a client may take to confirm that the websocket ends. */
const closingMs = 5_000;
const newline = 0x0a;

/**
 * The answer to a request that asks for a websocket: a stream of JSON lines becomes a websocket with a text frame a line
 * (wire contract 4.7); anything else, such as an error, an ordinary answer that ends the connection.
 *
 * @param head what the client has sent after its request.
 */
export function webSocketOutgoing(request: IncomingMessage, socket: Socket, head: Uint8Array): Outgoing {
  let headersSent = false;
  let framed = false;
  /** By the server: whoever makes the answer has no more of it. */
  let ended = false;
  /** By either side. */
  let finished = false;

  const finish = (): void => {
    finished = true;
    socket.end();
    const timer = setTimeout(() => socket.destroy(), closingMs);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
  };
  const finishFrames = (code: number): void => {
    if (finished) return;
    socket.write(encodeFrame('close', closePayload(code)));
    finish();
  };
  const reader = frameReader();
  const onData = (chunk: Uint8Array): void => {
    if (!framed || finished) return;
    try {
      for (const { type, payload } of reader.read(chunk)) {
        if (type === 'ping') socket.write(encodeFrame('pong', payload));
        if (type === 'close') finishFrames(normalClosure);
      }
    } catch {
      finishFrames(protocolError);
    }
  };
  const startFrames = (): void => {
    const [protocol] = offeredProtocols(request.headers['sec-websocket-protocol']).protocols;
    socket.write(switchingProtocols(request.headers['sec-websocket-key'] ?? '', protocol));
    if (head.length > 0) onData(head);
  };
  socket.on('data', onData);
  socket.on('end', () => socket.end());

  const outgoing: Outgoing = {
    get headersSent() {
      return headersSent;
    },
    get writableEnded() {
      return ended;
    },
    get destroyed() {
      return socket.destroyed || finished;
    },
    writeHead(code, headers) {
      headersSent = true;
      framed = code === 200 && headers['content-type'] === 'application/json' && headers['content-length'] === undefined;
      if (framed) startFrames();
      else socket.write(plainHead(code, headers));
    },
    flushHeaders: () => {},
    write(chunk, flushed) {
      if (!framed) return socket.write(chunk, flushed);
      socket.cork();
      let room = true;
      for (const line of linesOf(chunk)) room = socket.write(encodeFrame('text', line));
      socket.uncork();
      if (flushed !== undefined) socket.write('', flushed);
      return room;
    },
    end(chunk) {
      if (finished) return;
      ended = true;
      if (chunk !== undefined) outgoing.write(chunk);
      if (framed) finishFrames(normalClosure);
      else finish();
    },
    on: (event, listener) => socket.on(event, listener),
    once: (event, listener) => socket.once(event, listener),
    off: (event, listener) => socket.off(event, listener),
  };
  return outgoing;
}

function plainHead(code: number, headers: Readonly<Record<string, string | string[]>>): string {
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`));
  return [`HTTP/1.1 ${code} ${http.STATUS_CODES[code] ?? ''}`, ...lines, 'connection: close', '\r\n'].join('\r\n');
}

function linesOf(chunk: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < chunk.length;) {
    const end = chunk.indexOf(newline, from);
    const next = end < 0 ? chunk.length : end + 1;
    lines.push(chunk.subarray(from, next));
    from = next;
  }
  return lines;
}
