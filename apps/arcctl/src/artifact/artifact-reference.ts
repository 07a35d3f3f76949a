import { UsageError } from '@arc/cli-kit';
import { type EndpointLocation, parseEndpointURL, parseImageReference } from '@arc/transfer';

/** One artifact as it is written on a command line. */
export interface ArtifactReference {
  readonly location: EndpointLocation;
  /** Below the location; empty for a layout. */
  readonly repository: string;
  /** Tag or digest. */
  readonly version: string;
}

/** What is no registry, but a layout on this machine. */
export const isPath = /^(?:\.{0,2}\/|oci-layout:|file:)/;

/**
 * Reads `registry.example.org/team/app:v1` (`latest` without a tag), `...@sha256:...`, or `./dir:v1` for an OCI layout.
 *
 * @throws UsageError when it names no registry, or no version of a layout
 */
export function parseArtifactReference(reference: string): ArtifactReference {
  if (isPath.test(reference)) {
    const found = /^(.*?)(?:@(sha\d+:[0-9a-f]+)|:([\w][\w.-]*))$/.exec(reference.replace(/^[a-z-]+:\/\//, ''));
    if (found === null)
      throw new UsageError(`${JSON.stringify(reference)} names no version`, {
        hint: 'Add a tag or a digest: ./layout:v1, ./layout@sha256:....',
      });
    return { location: parseEndpointURL(`oci-layout://${found[1] ?? ''}`), repository: '', version: found[2] ?? found[3] ?? '' };
  }
  const [, scheme = '', host = '', path = ''] = /^([a-z]+:\/\/)?([^/]*)\/?(.*)$/.exec(reference) ?? [];
  if (path === '' || !/[.:]|^localhost$/.test(host)) {
    throw new UsageError(`${JSON.stringify(reference)} names no registry`, { hint: 'Write it in full: registry.example.org/team/app:v1.' });
  }
  const { repository, tag = 'latest', digest } = parseImageReference(path);
  return { location: parseEndpointURL(`${scheme}${host}`), repository, version: digest ?? tag };
}
