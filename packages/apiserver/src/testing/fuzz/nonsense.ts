import type { FuzzDraft } from './fuzz-request.ts';
import { mutated } from './mutate.ts';
import type { Random } from './random.ts';
import { bodies, headerNames, mediaTypes, methods, parameters, routes, segments, texts } from './vocabulary.ts';

/** Anything anywhere: most of it is refused before its body is looked at. */
export function nonsense(random: Random): FuzzDraft {
  const { pick, chance, many } = random;
  const anyPath = (): string => `${chance(0.95) ? '/' : '//'}${many(9, () => pick(segments)).join('/')}`;
  const route = chance(0.7) ? pick(routes) : anyPath();
  const path = chance(0.1) ? `${route}/${pick(segments)}` : route;
  const query = many(4, () => anyParameter(random));
  // A watch that finds nothing wrong goes on until its time is over.
  if (query.some((part) => part.startsWith('watch='))) query.unshift('timeoutSeconds=1');

  const wanted = pick(methods);
  // Without the namespace that everything is in, all else would be refused.
  const method = wanted === 'DELETE' && /^\/+api\/+v1\/+namespaces(?:\/+ns)?\/*$/.test(path) ? 'GET' : wanted;
  const headers: Record<string, string> = {};
  if (chance(0.8)) headers['content-type'] = pick(mediaTypes);
  if (chance(0.4)) headers['accept'] = pick(mediaTypes);
  if (chance(0.2)) headers['accept-encoding'] = pick(['gzip', 'gzip;q=0', 'identity', 'br,gzip', ';']);
  for (const name of many(1, () => pick(headerNames))) headers[name] ??= pick(texts).replaceAll(/[^ -~]/g, '?');

  const withBody = method !== 'GET' && method !== 'HEAD' && method !== 'TRACE' && chance(0.9);
  const body = withBody ? pick(bodies) : undefined;
  return {
    intent: 'nonsense',
    method,
    path: withQuery(path, query),
    headers,
    body: body === undefined || chance(0.5) ? body : mutated(body, random),
  };
}

export function anyParameter({ pick, chance }: Random): string {
  return `${encodeURIComponent(pick(parameters))}=${chance(0.9) ? encodeURIComponent(pick(texts)) : '%zz%'}`;
}

export function withQuery(path: string, query: readonly string[]): string {
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}
