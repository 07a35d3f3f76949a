import { readFile } from 'node:fs/promises';
import { ArcError, messageOf } from '@arc/kernel';
import { UsageError } from '@arc/cli-kit';
import { openEndpoint, parseEndpointURL, parseImageReference, proxyFromEnvironment, type ProxySelector } from '@arc/transfer';
import type { CredentialSource, EndpointLocation, ImageReference, OpenEndpoint, TlsOptions, WritableRepository } from '@arc/transfer';
import { hasFlag, textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { readRegistryCredentials } from './registry-credentials.ts';

/** A reference in full: where its registry is, and what in it is meant. */
export interface FullReference {
  readonly location: EndpointLocation & { readonly kind: 'registry' };
  /** Without the registry. */
  readonly image: ImageReference;
  /** With it: `registry.example.org/team/app`. */
  readonly name: string;
}

/**
 * `[http://]registry[:port]/repository[:tag][@digest]`. Without a scheme it is https, and http on loopback.
 *
 * @throws UsageError when it names no registry; TransferError
 */
export function parseFullReference(text: string): FullReference {
  const scheme = /^[a-z]+:\/\//.exec(text)?.[0] ?? '';
  const [host = '', ...path] = text.slice(scheme.length).split('/');
  if (path.length === 0 || !(/[.:]/.test(host) || host === 'localhost'))
    throw new UsageError(`${JSON.stringify(text)} names no registry`, { hint: 'Write it in full: registry.example.org/team/app:v1.' });
  const location = parseEndpointURL(`${scheme}${host}`);
  if (location.kind !== 'registry') throw new UsageError(`${JSON.stringify(text)} is not in a registry`);
  const image = parseImageReference(path.join('/'));
  return { location, image, name: `${location.origin.host}/${image.repository}` };
}

/** The registries one command speaks to, each over connections of its own. Disposing closes them. */
export class Registries implements Disposable {
  readonly #credentials: CredentialSource;
  readonly #tls: TlsOptions;
  readonly #chunkBytes: number;
  readonly #proxy: ProxySelector | undefined;
  readonly #open = new Map<string, OpenEndpoint>();
  readonly #destinations = new Map<string, Promise<WritableRepository>>();

  private constructor(credentials: CredentialSource, tls: TlsOptions, chunkBytes: number, proxy: ProxySelector | undefined) {
    this.#proxy = proxy;
    this.#credentials = credentials;
    this.#tls = tls;
    this.#chunkBytes = chunkBytes;
  }

  /** @throws ArcError when a file cannot be read; UsageError */
  static async of(invocation: Invocation): Promise<Registries> {
    const ca = await readIfNamed(textOption(invocation, 'caFile'));
    const credentials = await readRegistryCredentials(textOption(invocation, 'authfile'), invocation.environment, {
      helpers: hasFlag(invocation, 'credentialHelpers'),
    });
    return new Registries(
      credentials,
      ca === undefined ? {} : { ca },
      numberOption(invocation, 'chunkSize') ?? 0,
      proxyFromEnvironment(invocation.environment),
    );
  }

  /** Asks for no more than to read. */
  source(location: EndpointLocation, repository: string): ReturnType<OpenEndpoint['source']> {
    return this.#endpoint(location).source(repository);
  }

  /** The same object each time: copies to one repository at the same time take turns with its lists of referrers. */
  destination(location: EndpointLocation, repository: string): Promise<WritableRepository> {
    const key = `${keyOf(location)} ${repository}`;
    const opened = this.#destinations.get(key) ?? this.#endpoint(location).destination(repository);
    this.#destinations.set(key, opened);
    return opened;
  }

  [Symbol.dispose](): void {
    for (const endpoint of this.#open.values()) endpoint[Symbol.dispose]();
  }

  #endpoint(location: EndpointLocation): OpenEndpoint {
    const key = keyOf(location);
    let endpoint = this.#open.get(key);
    if (endpoint === undefined) {
      const settings = {
        userAgent: 'arcctl',
        credentials: this.#credentials,
        tls: this.#tls,
        proxy: this.#proxy,
        chunkBytes: this.#chunkBytes,
      };
      endpoint = openEndpoint(location, settings);
      this.#open.set(key, endpoint);
    }
    return endpoint;
  }
}

function keyOf(location: EndpointLocation): string {
  return location.kind === 'registry' ? `${location.origin.origin}/${location.prefix}` : JSON.stringify(location);
}

/** @throws UsageError */
function numberOption(invocation: Invocation, name: string): number | undefined {
  const text = textOption(invocation, name);
  if (text === undefined) return undefined;
  const [, digits, unit = ''] = /^(\d{1,15})([KMG]?)$/.exec(text) ?? [];
  if (digits === undefined) throw new UsageError(`${JSON.stringify(text)} is not a number`, { hint: 'Write 500000, 500K, 20M or 1G.' });
  return Number(digits) * { '': 1, K: 1e3, M: 1e6, G: 1e9 }[unit as '' | 'K' | 'M' | 'G'];
}

/** What commands that copy share of their options. @throws UsageError */
export function copyOptionsOf(invocation: Invocation): {
  readonly dryRun: boolean;
  readonly referrers?: 'none' | 'best-effort' | 'required';
  readonly maxBytesPerSecond?: number;
  readonly onConflict?: 'fail' | 'skip' | 'overwrite';
} {
  const onConflict = textOption(invocation, 'onConflict') as 'fail' | 'skip' | 'overwrite' | undefined;
  const referrers = textOption(invocation, 'referrers') as 'none' | 'best-effort' | 'required' | undefined;
  const maxBytesPerSecond = numberOption(invocation, 'limitRate');
  return {
    dryRun: hasFlag(invocation, 'dryRun'),
    ...(referrers === undefined ? {} : { referrers }),
    ...(onConflict === undefined ? {} : { onConflict }),
    ...(maxBytesPerSecond === undefined ? {} : { maxBytesPerSecond }),
  };
}

async function readIfNamed(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ArcError('FileUnreadable', `cannot read ${path}: ${messageOf(error)}`, {
      hint: 'Check the path given with --ca-file.',
      cause: error,
    });
  }
}
