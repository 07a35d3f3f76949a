import { parseRepository, parseTag } from '../reference/image-reference.ts';
import type { LayoutName } from '../oci/layout.ts';

/** The repository of a full name without its registry: `registry.example.org:5000/team/app` is `team/app`. */
export function repositoryWithoutHost(name: string): string {
  const [first = '', ...rest] = name.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? rest.join('/') : name;
}

/** Where something in a layout belongs on the other side. */
export interface CarriedName {
  /** As the layout writes it. */
  readonly name: string;
  /** In front of the tags in the layout; undefined where they stand alone. */
  readonly repository: string | undefined;
  /** Below the receiving registry. */
  readonly target: string;
  readonly tag: string | undefined;
  readonly digest: LayoutName['digest'];
}

/**
 * Names are from outside and become parts of URLs: nothing but what the distribution specification allows is taken.
 * `repository` is where tags without one go; those are left out when it is undefined.
 *
 * @throws TransferError `InvalidReference`
 */
export function carriedNames(names: readonly LayoutName[], repository: string | undefined): readonly CarriedName[] {
  return names.flatMap(({ name, repository: own, tag, digest }) => {
    const target = own === undefined || own === '' ? repository : repositoryWithoutHost(own);
    if (target === undefined) return [];
    return [
      {
        name,
        repository: own === '' ? undefined : own,
        target: parseRepository(target),
        tag: tag === undefined ? undefined : parseTag(tag),
        digest,
      },
    ];
  });
}
