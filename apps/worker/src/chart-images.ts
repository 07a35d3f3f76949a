import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ArcError } from '@arc/kernel';
import { attribute, parseEndpointURL, parseImageReference, readSecretDirectory } from '@arc/transfer';
import { chartImages, type NamedImage } from '@arc/transfer/helm';
import type { DeliveryContext } from './delivery/deliver.ts';
import type { DeliveredImage } from './delivery/delivery-receipt.ts';
import type { SideEnvironment, WorkerEnvironment } from './environment.ts';
import { ociCopy } from './oci-copy.ts';
import type { Receipt } from './receipt.ts';

/**
 * Brings the images that a chart names to the destination, each as `oci-copy` does: with what refers to it, and after it has
 * satisfied the verification policy where there is one. They come from registries that the step allows, and from no other.
 *
 * @throws ArcError `ImageNotAllowed` before anything is moved; CopyError
 */
export async function bringImages(archive: Buffer, what: string, context: DeliveryContext): Promise<DeliveredImage[]> {
  const { environment, write, signal } = context;
  if (environment.destination.type !== 'oci')
    throw new ArcError('InvalidConfiguration', 'images can only be brought along to a destination of type oci', {
      hint: 'Set images to none, or use a destination endpoint of type oci.',
    });
  const images = await attribute('source', 'look for images', what, signal, () => chartImages(archive, what));
  const own = ownRegistry(environment);
  const refused = images.filter(({ registry }) => registry !== own?.host && !environment.imageRegistries.has(registry));
  if (refused.length > 0) {
    const names = refused.map(({ registry, image }) => `${registry}/${image}`);
    throw new ArcError(
      'ImageNotAllowed',
      `source: look for images ${what}: not from allowed registries: ${names.slice(0, 20).join(', ')}`,
      {
        hint: 'Add the registries to ARC_IMAGE_REGISTRIES of the workflow template, or set images to none.',
      },
    );
  }
  write(images.length === 0 ? 'images    the chart names none' : `images    ${images.length} that the chart names`);
  const delivered: DeliveredImage[] = [];
  for (const image of images) delivered.push(await bringImage(image, own, context));
  return delivered;
}

async function bringImage(
  { registry, image }: NamedImage,
  own: OwnRegistry | undefined,
  context: DeliveryContext,
): Promise<DeliveredImage> {
  const { environment, onConflict, write, signal } = context;
  const folder = await mkdtemp(join(environment.stagingDirectory, 'arc-image-'));
  try {
    const receiptFile = join(folder, 'receipt.json');
    const isOwn = registry === own?.host;
    const source: SideEnvironment = isOwn
      ? { ...environment.source, type: 'oci', url: own.url }
      : await elsewhere(environment, registry, folder);
    const specJSON = JSON.stringify({ image });
    await ociCopy({ ...environment, source, specJSON, receiptFile, progressFile: undefined, onConflict }, write, signal);
    const receipt = JSON.parse(await readFile(receiptFile, 'utf8')) as Pick<Receipt, 'source' | 'destination'>;
    const { repository, tag } = parseImageReference(image);
    const { references, digest } = receipt.destination;
    const tags = tag !== undefined && references.some((reference) => reference.endsWith(`:${tag}`)) ? [tag] : [];
    return { source: receipt.source.reference, repository, tags, digest };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Another registry than the endpoint is reached with what names it: a docker config, authorities. It neither has the endpoint's name, nor
 * is it believed without a trusted certificate, nor shown the endpoint's own. `nothing` is an empty directory.
 */
async function elsewhere({ source, imageRegistries }: WorkerEnvironment, registry: string, nothing: string): Promise<SideEnvironment> {
  return {
    ...source,
    type: 'oci',
    url: imageRegistries.get(registry) ?? `https://${registry}`,
    secretDirectory: (await namesHosts(source.secretDirectory)) ? source.secretDirectory : nothing,
    serverName: undefined,
    insecureSkipTlsVerify: false,
    isElsewhere: true,
  };
}

interface OwnRegistry {
  readonly host: string;
  readonly url: string;
}

function ownRegistry({ source }: WorkerEnvironment): OwnRegistry | undefined {
  if (source.type !== 'oci') return undefined;
  const location = parseEndpointURL(source.url);
  return location.kind === 'registry' ? { host: location.origin.host, url: location.origin.origin } : undefined;
}

/** A docker config says which credentials are whose; a user and password are those of the endpoint alone. */
async function namesHosts(directory: string): Promise<boolean> {
  const { keys } = await readSecretDirectory(directory);
  return keys.includes('.dockerconfigjson') || keys.includes('config.json') ? !keys.includes('username') : false;
}
