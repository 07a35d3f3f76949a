import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { createAuthority, issueServerCertificate } from '@arc/pki';
import type { Target } from '../load/target.ts';
import { answerCalls } from '../processes/calls.ts';

const answers = new Map<string, Buffer>();

/** The path of a request is the number of bytes wanted. */
function answerTo(request: Buffer): Buffer {
  const path = /^\w+ \/(\d+)/.exec(request.toString('latin1', 0, 40))?.[1] ?? '0';
  let answer = answers.get(path);
  if (answer === undefined) {
    answer = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${path}\r\n\r\n`), Buffer.alloc(Number(path), 0x78)]);
    answers.set(path, answer);
  }
  return answer;
}

async function listen({ tls }: { readonly tls: boolean }): Promise<Target> {
  // Every read is taken for a whole request: the load writes each one at once, and it fits a TLS record.
  const onSocket = (socket: Socket): void => {
    socket.setNoDelay(true);
    socket.on('data', (request: Buffer) => socket.write(answerTo(request)));
    socket.on('error', () => socket.destroy());
  };
  const authority = createAuthority({ commonName: 'bench' });
  const { certPem, keyPem } = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
  const server: Server = tls ? createTlsServer({ cert: certPem, key: keyPem }, onSocket) : createServer(onSocket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { host: '127.0.0.1', port, ...(tls && { tls: { ca: authority.certPem } }) };
}

const calls = { listen };
export type RawServerCalls = typeof calls;

answerCalls(calls);
