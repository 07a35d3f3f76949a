import { join } from 'node:path';
import { HttpTransport, type HttpTransportOptions } from '../http/http-transport.ts';
import { type EndpointLocation, repositoryAt } from '../reference/endpoint-url.ts';
import { isTransferError, TransferError } from '../transfer-error.ts';
import { ArchiveFiles } from './archive-files.ts';
import { DirectoryFiles } from './directory-files.ts';
import type { LayoutFiles } from './layout-files.ts';
import { OciLayout } from './layout.ts';
import { RegistryClient } from './registry-client.ts';
import { RegistryRepository, type RegistryRepositoryOptions } from './registry-repository.ts';
import type { Pusher, ReadableRepository, WritableRepository } from './repository.ts';

export interface OpenEndpointOptions extends HttpTransportOptions, RegistryRepositoryOptions {}

/** One endpoint with its connections. Disposing it closes them. */
export interface OpenEndpoint extends Disposable {
  readonly location: EndpointLocation;
  /** @throws TransferError `NotFound` when a layout has no such repository */
  source(repository: string): Promise<ReadableRepository & Pick<Pusher, 'hasBlob'>>;
  destination(repository: string): Promise<WritableRepository>;
}

/**
 * Opens an endpoint of any kind. In a directory of layouts each repository is a layout of its own, in the folder of
 * its name; a source may also be a single layout, which then stands for every repository unless its tags name several.
 * In an archive the tags begin with their repository.
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
  if (location.kind === 'archive') return openArchive(location);
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

function openArchive(location: EndpointLocation & { kind: 'archive' }): OpenEndpoint {
  const opened: ArchiveFiles[] = [];
  const keep = (files: ArchiveFiles): ArchiveFiles => {
    opened.push(files);
    return files;
  };
  return {
    location,
    source: async (repository) => openShared(keep(await ArchiveFiles.open(location.file)), repository),
    destination: async (repository) =>
      OciLayout.createFiles(
        keep(await ArchiveFiles.create(location.file, { finishing: true })),
        repository === '' ? undefined : repository,
      ),
    [Symbol.dispose]: () => {
      for (const files of opened) void files[Symbol.asyncDispose]();
    },
  };
}

async function openLayout(directory: string, repository: string): Promise<OciLayout> {
  try {
    return await OciLayout.open(join(directory, repository));
  } catch (error) {
    if (!isTransferError(error, 'NotFound')) throw error;
  }
  try {
    return await openShared(new DirectoryFiles(directory), repository);
  } catch (error) {
    if (!isTransferError(error, 'NotFound')) throw error;
    throw new TransferError('NotFound', `neither ${join(directory, repository)} nor ${directory} is an OCI layout with ${repository}`, {
      hint: 'Check the directory in remoteURL and the repository of the image.',
    });
  }
}

/** The part of a layout that is about `repository`, where its tags name repositories. @throws TransferError `NotFound`, `InvalidReference` */
async function openShared(files: LayoutFiles, repository: string): Promise<OciLayout> {
  const whole = await OciLayout.openFiles(files);
  const named = new Set((await whole.names()).flatMap((name) => name.repository ?? []));
  const meant = [...named].filter((name) => name === repository || name.endsWith(`/${repository}`));
  const [only] = meant;
  if (meant.length === 1 && only !== undefined) return OciLayout.openFiles(files, only);
  if (meant.length > 1) {
    throw new TransferError('InvalidReference', `${files.name} has ${meant.join(' and ')}: ${repository} could mean each of them`, {
      hint: 'Write the image with its registry.',
    });
  }
  // Names of one repository only, or of none, leave no doubt.
  if (named.size <= 1) return whole;
  throw new TransferError('NotFound', `${files.name} has no ${repository}`, { hint: `It has ${[...named].slice(0, 20).join(', ')}.` });
}
