import type { Endpoint, Order } from '@arc/api/arc';
import { contactText, destinationNames, sourceName } from '@arc/api/arc';
import { isDeleting } from '../metadata/references.ts';
import type { LookupInformers } from '../resolve/lookups.ts';

/** An Endpoint an Order uses that says that it cannot be used. */
export interface UnreadyEndpoint {
  readonly name: string;
  readonly reason: string;
  readonly message: string;
}

/** Those of an Order's Endpoints that are known not to be ready, each once, in the order they are named. Runs do not wait for them. */
export function unreadyEndpoints(order: Order, { endpoints }: Pick<LookupInformers, 'endpoints'>): UnreadyEndpoint[] {
  const spec = order.spec ?? {};
  const names = (spec.artifacts ?? []).flatMap((artifact) => [sourceName(spec, artifact), ...destinationNames(spec, artifact)]);
  return [...new Set(names)].flatMap((name) => {
    const endpoint = name === undefined ? undefined : endpoints.get(order.metadata.namespace, name);
    const ready = endpoint === undefined || isDeleting(endpoint) ? undefined : unreadiness(endpoint);
    if (endpoint === undefined || ready === undefined) return [];
    const [contact] = (endpoint.spec?.contacts ?? []).map(contactText);
    const message = `Endpoint ${JSON.stringify(name)} is not ready: ${ready.message}${contact === undefined ? '' : `; ask ${contact}`}`;
    return [{ name: name ?? '', reason: ready.reason, message }];
  });
}

/** True when an Order that uses an Endpoint has to say something else about it. */
export function readinessChanged(endpoint: Endpoint, old: Endpoint): boolean {
  const [now, before] = [unreadiness(endpoint), unreadiness(old)];
  return now?.reason !== before?.reason || now?.message !== before?.message;
}

/** Why an Endpoint is not ready; undefined while it is, or while nobody knows. */
function unreadiness({ status }: Endpoint): { readonly reason: string; readonly message: string } | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'False' ? ready : undefined;
}
