import type { Descriptor } from '../descriptor/descriptor.ts';
import type { Manifest } from '../descriptor/manifest.ts';
import type { ReadableRepository, RequestOptions } from '../oci/repository.ts';
import { isDigest } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';
import { chartLimit, readChart } from './chart-archive.ts';
import { chartMediaTypes } from './chart-artifact.ts';
import { provenanceLimit, type PublishedChart, requireNamed } from './chart-repository.ts';

/**
 * A chart as a registry has it, taken out of its manifest: archive and provenance file byte for byte.
 *
 * @throws TransferError `InvalidManifest` when it is no chart, is not what its name says, or is unsafe
 */
export async function chartFromRegistry(
  repository: ReadableRepository,
  manifest: Manifest,
  expected: { readonly name: string; readonly tag: string },
  options: RequestOptions & { readonly provenance?: boolean } = {},
): Promise<PublishedChart> {
  const location = `${repository.name}:${expected.tag}`;
  const layer = (mediaType: string): Descriptor | undefined => manifest.blobs.find((blob) => blob.mediaType === mediaType);
  const content = layer(chartMediaTypes.content);
  if (content === undefined) throw new TransferError('InvalidManifest', `${location} holds no chart archive`);
  const archive = await readBlob(repository, content, chartLimit, options);
  const description = await readChart(archive, location);
  if (description.name !== expected.name)
    throw new TransferError('InvalidManifest', `${location} is chart ${description.name}, not ${expected.name}`);
  const signed = options.provenance === false ? undefined : layer(chartMediaTypes.provenance);
  const provenance = signed === undefined ? undefined : await readBlob(repository, signed, provenanceLimit, options);
  const { digest } = content;
  if (!isDigest(digest) || !digest.startsWith('sha256:'))
    throw new TransferError('InvalidManifest', `${location} names its archive by ${digest}, which a chart repository cannot`);
  if (provenance !== undefined) requireNamed(provenance, description, digest, location);
  return { ...description, location, archive, digest, listedDigest: digest, provenance };
}

async function readBlob(repository: ReadableRepository, descriptor: Descriptor, limit: number, options: RequestOptions): Promise<Buffer> {
  if (descriptor.size > limit) throw new TransferError('TooLarge', `${repository.name}@${descriptor.digest} is larger than ${limit} bytes`);
  return Buffer.concat(await Array.fromAsync(repository.fetchBlob(descriptor, options)));
}
