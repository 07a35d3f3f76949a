import { type MetaVersion, statusError } from '@arc/apimachinery';

/** One clause of an Accept header: a media type with its parameters, lower-case names, values as sent. */
export interface AcceptClause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** How an answer is written. */
type Transform = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';

export interface Representation {
  readonly mediaType: 'application/json' | 'application/yaml';
  readonly transform: Transform;
  /** `v1` or `v1beta1` of meta.k8s.io; meaningful for transforms only. */
  readonly metaVersion: MetaVersion;
}

/** The clauses of an Accept header, best first: by quality, then in the order sent. */
export function parseAccept(header: string | undefined): readonly AcceptClause[] {
  const clauses = (header ?? '').split(',').flatMap((text) => {
    const clause = parseClause(text);
    return clause === undefined || clause.quality === 0 ? [] : [clause];
  });
  return (header ?? '').trim() === '' ? [anything] : clauses.sort((a, b) => b.quality - a.quality);
}

const anything: AcceptClause = { type: '*/*', parameters: new Map(), quality: 1 };

function parseClause(text: string): AcceptClause | undefined {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  if (type === '') return undefined;
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const equals = part.indexOf('=');
    if (equals > 0)
      parameters.set(
        part.slice(0, equals).trim().toLowerCase(),
        part
          .slice(equals + 1)
          .trim()
          .replaceAll('"', ''),
      );
  }
  const quality = Number(parameters.get('q') ?? '1');
  return { type: type.toLowerCase(), parameters, quality: Number.isFinite(quality) ? quality : 1 };
}

const acceptedTypes = ['application/json', 'application/yaml'];

export interface NegotiateOptions {
  /** What `as=` may ask for on this endpoint. */
  readonly transforms?: readonly Transform[];
  /** False for streams, which have no YAML form. */
  readonly yaml?: boolean;
}

/**
 * Chooses the first clause that this endpoint can serve (wire contract 4.1): unknown parameters are ignored, a transform
 * that is not offered makes only its own clause unusable, protobuf clauses are passed over.
 * @throws ApiStatusError 406 when no clause can be served.
 */
export function negotiate(header: string | undefined, options: NegotiateOptions = {}): Representation {
  const { transforms = [], yaml = true } = options;
  for (const { type, parameters } of parseAccept(header)) {
    const mediaType = servedType(type, yaml);
    if (mediaType === undefined) continue;
    const as = parameters.get('as');
    if (as === undefined) return { mediaType, transform: 'object', metaVersion: 'v1' };
    const transform = transforms.find((offered) => offered === as);
    const metaVersion = parameters.get('v');
    if (parameters.get('g') !== 'meta.k8s.io' || (metaVersion !== 'v1' && metaVersion !== 'v1beta1')) continue;
    if (transform !== undefined) return { mediaType, transform, metaVersion };
  }
  throw statusError.notAcceptable(yaml ? acceptedTypes : acceptedTypes.slice(0, 1));
}

function servedType(type: string, yaml: boolean): Representation['mediaType'] | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'application/json';
  return yaml && type === 'application/yaml' ? 'application/yaml' : undefined;
}
