import { readFile } from 'node:fs/promises';
import { Client, credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { messageOf } from '@arc/kernel';
import { StorageError } from '@arc/storage';

/** PEM files. Without `caFile` the system's authorities are trusted. */
export interface EtcdTls {
  readonly caFile?: string;
  /** The client certificate and its key; both or none. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** One member and the channel to it. */
export interface Endpoint {
  /** `HOST:PORT` */
  readonly address: string;
  readonly channel: Client;
}

/**
 * Makes a channel for each of `HOST:PORT`, `http://HOST:PORT` or `https://HOST:PORT`; all with TLS or all without. Nothing
 * is connected yet.
 *
 * @throws StorageError `Unavailable` for an endpoint that is malformed or a file that cannot be read
 */
export async function openEndpoints(urls: readonly string[], tls: EtcdTls | undefined): Promise<readonly Endpoint[]> {
  const parsed = urls.map(parseEndpoint);
  const secure = tls !== undefined || parsed.some(({ scheme }) => scheme === 'https');
  if (parsed.length === 0) throw misconfigured('no endpoint of etcd was given');
  if (secure && parsed.some(({ scheme }) => scheme === 'http')) {
    throw misconfigured('endpoints of etcd with http:// cannot be used together with TLS');
  }
  const channelCredentials = secure ? await tlsCredentials(tls ?? {}) : credentials.createInsecure();
  return parsed.map(({ address }) => ({ address, channel: new Client(address, channelCredentials, channelOptions) }));
}

const channelOptions = {
  // Values come back whole, a page of them in one message; etcd bounds what it takes, not what it sends.
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  // With Node's 64 KiB, a page of 500 objects took 85 ms from a member 5 ms away, and 11 ms with this.
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
  // A member that vanished without a word is noticed; etcd closes connections that ping oftener than every 5 s.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // What was sent and failed is looked into, never repeated unseen.
  'grpc.enable_retries': 0,
};

interface ParsedEndpoint {
  readonly scheme: string | undefined;
  readonly address: string;
}

function parseEndpoint(text: string): ParsedEndpoint {
  const match = /^(?:(https?):\/\/)?((?:[\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5})\/?$/.exec(text);
  if (match?.[2] === undefined) throw misconfigured(`${JSON.stringify(text)} is not an endpoint of etcd`);
  return { scheme: match[1], address: match[2] };
}

async function tlsCredentials({ caFile, certFile, keyFile }: EtcdTls): Promise<ChannelCredentials> {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw misconfigured('a client certificate for etcd needs both its certificate file and its key file');
  }
  const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map(readPem));
  try {
    return credentials.createSsl(ca ?? null, key ?? null, cert ?? null);
  } catch (error) {
    throw misconfigured(`the TLS files for etcd cannot be used: ${messageOf(error)}`);
  }
}

async function readPem(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (error) {
    throw misconfigured(`the TLS file ${file} for etcd cannot be read: ${messageOf(error)}`);
  }
}

function misconfigured(message: string): StorageError {
  return new StorageError('Unavailable', message, { hint: 'Give endpoints as HOST:PORT or https://HOST:PORT, and PEM files.' });
}
