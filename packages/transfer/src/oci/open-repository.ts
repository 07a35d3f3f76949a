import { join } from 'node:path';
import { HttpTransport, type HttpTransportOptions } from '../http/http-transport.ts';
import { type EndpointLocation, repositoryAt } from '../reference/endpoint-url.ts';
import { isTransferError, TransferError } from '../transfer-error.ts';
import { OciLayout } from './layout.ts';
import { RegistryClient } from './registry-client.ts';
import { RegistryRepository, type RegistryRepositoryOptions } from './registry-repository.ts';
import type { ReadableRepository, WritableRepository } from './repository.ts';

export interface OpenEndpointOptions extends HttpTransportOptions, RegistryRepositoryOptions {}

/** One endpoint with its connections. Disposing it closes them. */
export interface OpenEndpoint extends Disposable {
  readonly location: EndpointLocation;
  /** @throws TransferError `NotFound` when a layout has no such repository */
  source(repository: string): Promise<ReadableRepository>;
  destination(repository: string): Promise<WritableRepository>;
}

/**
 * Opens an endpoint of either kind. In a directory of layouts each repository is a layout of its own, in the folder of
 * its name; a source may also be a single layout, which then stands for every repository.
 */
export function openEndpoint(location: EndpointLocation, options: OpenEndpointOptions = {}): OpenEndpoint {
  if (location.kind === 'layout') {
    const { directory } = location;
    return {
      location,
      source: (repository) => openLayout(directory, repository),
      destination: (repository) => OciLayout.create(join(directory, repository)),
      [Symbol.dispose]: () => {},
    };
  }
  const transport = new HttpTransport(location.origin, options);
  const open = (repository: string, access: 'pull' | 'push'): Promise<RegistryRepository> =>
    Promise.resolve(new RegistryRepository(new RegistryClient(transport, access), repositoryAt(location, repository), options));
  return {
    location,
    source: (repository) => open(repository, 'pull'),
    destination: (repository) => open(repository, 'push'),
    [Symbol.dispose]: () => transport[Symbol.dispose](),
  };
}

async function openLayout(directory: string, repository: string): Promise<OciLayout> {
  try {
    return await OciLayout.open(join(directory, repository));
  } catch (error) {
    if (!isTransferError(error, 'NotFound')) throw error;
  }
  try {
    return await OciLayout.open(directory);
  } catch (error) {
    if (!isTransferError(error, 'NotFound')) throw error;
    throw new TransferError('NotFound', `neither ${join(directory, repository)} nor ${directory} is an OCI layout`, {
      hint: 'Check the directory in remoteURL and the repository of the image.',
    });
  }
}
