import type { Descriptor } from '../descriptor/descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import { referrersTag } from '../oci/referrers-index.ts';
import { forEachBounded } from './bounded.ts';
import { attribute } from './copy-error.ts';
import { tagConflict } from './tag-conflict.ts';
import { copyBelow, copyManifest, type CopyContext, planGraph, readAtDestination, readAtSource } from './copy-content.ts';

/** `none`; `best-effort`: what goes wrong is a warning; `required`: it fails the copy. */
export type ReferrerPolicy = 'none' | 'best-effort' | 'required';

/** Tags under which cosign keeps what belongs to a digest (no subject, so no registry lists them). */
const legacySuffixes = ['.sig', '.att', '.sbom'] as const;

/** Listings of referrers asked for at a time. */
const listingsAtOnce = 8;

/** Most tags of a repository that are looked through before single tags are asked for instead. */
const tagListLimit = 5000;

/**
 * Copies what refers to the given manifests: signatures, attestations, SBOMs, and what refers to those in turn; then the
 * legacy tags. `beforeFirst` runs before anything is written. Returns how many manifests were referrers.
 */
export async function copyReferrers(
  context: CopyContext,
  subjects: readonly Descriptor[],
  policy: ReferrerPolicy,
  beforeFirst: () => Promise<void>,
): Promise<number> {
  if (policy === 'none') return 0;
  const tolerate = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (policy === 'required' || context.signal?.aborted === true) throw error;
      context.emit({ kind: 'warning', message: `${what} not copied: ${error instanceof Error ? error.message : String(error)}` });
    }
  };
  const done = new Set<Digest>(subjects.map(({ digest }) => digest));
  const [tags, listings] = await Promise.all([digestTags(context), listAhead(context, subjects)]);
  let copied = 0;
  const known = new Map<Digest, Promise<ReadonlySet<Digest>>>();
  const listedAtDestination = (subject: Descriptor): Promise<ReadonlySet<Digest>> => {
    const listed = known.get(subject.digest) ?? listAtDestination(context, subject);
    known.set(subject.digest, listed);
    return listed;
  };

  const visit = async (subject: Descriptor, depth: number): Promise<void> => {
    const referrers = await (listings.get(subject.digest) ?? list(context, subject));
    for (const { digest } of referrers) {
      if (done.has(digest)) continue;
      done.add(digest);
      await tolerate(`referrer ${digest}`, async () => {
        await beforeFirst();
        const descriptor = await copyByDigest(context, digest, listedAtDestination);
        copied += 1;
        if (depth < 4) await visit(descriptor, depth + 1);
      });
    }
  };

  for (const subject of subjects) {
    await tolerate(`the referrers of ${subject.digest} are`, () => visit(subject, 0));
    for (const suffix of legacySuffixes) {
      const tag = `${referrersTag(subject.digest)}${suffix}`;
      if (tags !== undefined && !tags.has(tag)) continue;
      await tolerate(`tag ${tag}`, async () => {
        if (await copyTag(context, tag, beforeFirst)) copied += 1;
      });
    }
  }
  return copied;
}

function list(context: CopyContext, subject: Descriptor): Promise<readonly Descriptor[]> {
  const { source, signal } = context;
  return attribute('source', 'list referrers of', `${source.name}@${subject.digest}`, signal, () =>
    source.listReferrers(subject, { signal }),
  );
}

/** Asks about all subjects at once, after the first has shown whether the registry serves the question. */
async function listAhead(
  context: CopyContext,
  subjects: readonly Descriptor[],
): Promise<ReadonlyMap<Digest, Promise<readonly Descriptor[]>>> {
  const listings = new Map<Digest, Promise<readonly Descriptor[]>>();
  const ask = async (subject: Descriptor): Promise<void> => {
    const listing = list(context, subject);
    listings.set(subject.digest, listing);
    // Whoever needs this listing gets its error.
    await listing.catch(() => {});
  };
  const [first, ...others] = subjects;
  if (first !== undefined) await ask(first);
  await forEachBounded(others, listingsAtOnce, ask, context.signal);
  return listings;
}

async function listAtDestination(context: CopyContext, subject: Descriptor): Promise<ReadonlySet<Digest>> {
  const { destination, signal } = context;
  const listed = await attribute('destination', 'list referrers of', `${destination.name}@${subject.digest}`, signal, () =>
    destination.listReferrers(subject, { signal }),
  );
  return new Set(listed.map(({ digest }) => digest));
}

async function copyByDigest(
  context: CopyContext,
  digest: Digest,
  listedAtDestination: (subject: Descriptor) => Promise<ReadonlySet<Digest>>,
): Promise<Descriptor> {
  const held = await readAtDestination(context, digest);
  const root = held ?? (await readAtSource(context, digest));
  const graph = await planGraph(context, root, held !== undefined);
  await copyBelow(context, graph);
  // A copy that was killed may have stored it without telling its subject, where registries leave that to the client.
  const listed = held?.subject === undefined || (await listedAtDestination(held.subject)).has(digest);
  await copyManifest(context, root, held !== undefined && listed);
  return root.descriptor;
}

async function copyTag(context: CopyContext, tag: string, beforeFirst: () => Promise<void>): Promise<boolean> {
  const { source, destination, signal } = context;
  const found = await attribute('source', 'resolve', `${source.name}:${tag}`, signal, () => source.resolve(tag, { signal }));
  if (found === undefined) return false;
  await beforeFirst();
  const held = await readAtDestination(context, found.digest);
  const root = held ?? (await readAtSource(context, found.digest));
  await copyBelow(context, await planGraph(context, root, held !== undefined));
  const current = await attribute('destination', 'resolve', `${destination.name}:${tag}`, signal, () =>
    destination.resolve(tag, { signal }),
  );
  if (current?.digest === root.descriptor.digest) return true;
  if (current !== undefined && context.onConflict !== 'overwrite')
    throw tagConflict(`${destination.name}:${tag}`, current.digest, root.descriptor.digest);
  if (context.dryRun) return true;
  await attribute('destination', 'tag', `${destination.name}:${tag}`, signal, () => destination.tagManifest(root, tag, { signal }));
  context.emit({ kind: 'tagged', reference: `${destination.name}:${tag}`, digest: root.descriptor.digest });
  return true;
}

/** The source's tags made of digests, or undefined when they are too many or cannot be listed. */
async function digestTags(context: CopyContext): Promise<ReadonlySet<string> | undefined> {
  const tags = new Set<string>();
  let seen = 0;
  try {
    for await (const tag of context.source.listTags({ signal: context.signal })) {
      seen += 1;
      if (seen > tagListLimit) return undefined;
      if (/^sha(?:256|512)-[0-9a-f]{64}/.test(tag)) tags.add(tag);
    }
  } catch (error) {
    if (context.signal?.aborted === true) throw error;
    return undefined;
  }
  return tags;
}
