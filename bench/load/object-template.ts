import { hash } from 'node:crypto';

/** Annotation with the time an object was sent, microseconds since 1970 in 16 digits: what delivery is measured from. */
export const sentAnnotation = 'bench.arc/sent';
/** What precedes the time in an object's JSON. The field sets of managedFields name it, too, but not as a text's key. */
export const sentMarker = `"${sentAnnotation}":"`;
export const sentDigits = 16;

/** Labels that selectors of the bench ask for: each of a hundred groups is as frequent as the others, one tier in a hundred is rare. */
export const groupLabel = 'bench.arc/group';
export const tierLabel = 'bench.arc/tier';

/** The JSON of an object, cut where name, time and labels go: putting it together costs less than serialising it. */
export interface ObjectTemplate {
  readonly parts: readonly string[];
  readonly holes: readonly Hole[];
}

type Hole = 'name' | 'sent' | 'group' | 'tier' | 'phase' | 'uid' | 'digest';

const placeholders: ReadonlyMap<string, Hole> = new Map([
  ['@@NAME@@', 'name'],
  ['@@SENT@@', 'sent'],
  ['@@GROUP@@', 'group'],
  ['@@TIER@@', 'tier'],
  ['@@PHASE@@', 'phase'],
  ['@@UID@@', 'uid'],
  ['@@DIGEST@@', 'digest'],
]);

/** Cuts a JSON text at its placeholders. */
export function cutTemplate(json: string): ObjectTemplate {
  const pieces = json.split(/(@@(?:NAME|SENT|GROUP|TIER|PHASE|UID|DIGEST)@@)/);
  return {
    parts: pieces.filter((_, index) => index % 2 === 0),
    holes: pieces.filter((_, index) => index % 2 === 1).map((text) => placeholders.get(text) ?? 'name'),
  };
}

/** A manifest with the metadata the load needs; whatever else `manifest` says stays. */
export function templateOf(manifest: Readonly<Record<string, unknown>>, namespace: string | undefined): ObjectTemplate {
  const { metadata, ...rest } = manifest;
  const { labels, annotations } = (metadata ?? {}) as Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
  return cutTemplate(
    JSON.stringify({
      ...{ apiVersion: rest['apiVersion'], kind: rest['kind'] },
      metadata: {
        name: '@@NAME@@',
        ...(namespace !== undefined && { namespace }),
        labels: { ...labels, [groupLabel]: '@@GROUP@@', [tierLabel]: '@@TIER@@' },
        annotations: { ...annotations, [sentAnnotation]: '@@SENT@@' },
      },
      ...rest,
    }),
  );
}

export function objectName(index: number): string {
  return `bench-${String(index).padStart(7, '0')}`;
}

/** The object's JSON; ASCII as long as the template is. */
export function fillTemplate({ parts, holes }: ObjectTemplate, index: number, sentMicros = 0): string {
  let text = parts[0] ?? '';
  for (const [at, hole] of holes.entries()) text += valueOf(hole, index, sentMicros) + (parts[at + 1] ?? '');
  return text;
}

function valueOf(hole: Hole, index: number, sentMicros: number): string {
  switch (hole) {
    case 'name':
      return objectName(index);
    case 'sent':
      return String(sentMicros).padStart(sentDigits, '0');
    case 'group':
      return `g-${index % 100}`;
    case 'tier':
      return index % 100 === 50 ? 'rare' : 'common';
    case 'phase':
      return index % 100 === 25 ? 'Failed' : 'Running';
    case 'uid':
      return digestOf(-1 - index).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
    case 'digest':
      return digestOf(index);
  }
}

/** As incompressible as what objects hold of the kind, and the same in every run. */
export function digestOf(index: number): string {
  return hash('sha256', String(index));
}
