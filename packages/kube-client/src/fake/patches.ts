import { statusError } from '@arc/apimachinery';

/** RFC 7396. Neither argument is changed. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** RFC 6902. `target` is changed in place; the returned value replaces it. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw statusError.badRequest('a JSON patch is a list of operations');
  const document = { root: target };
  for (const operation of patch as readonly Operation[]) apply(document, operation);
  return document.root;
}

function apply(document: { root: unknown }, operation: Operation): void {
  const { op, path, from = '', value } = operation;
  switch (op) {
    case 'add':
      return add(document, path, value);
    case 'remove':
      remove(document, path);
      return;
    case 'replace':
      remove(document, path);
      return add(document, path, value);
    case 'move':
      return add(document, path, remove(document, from));
    case 'copy':
      return add(document, path, structuredClone(read(document, from)));
    case 'test':
      if (JSON.stringify(read(document, path)) !== JSON.stringify(value)) throw notApplicable(`test of ${path} failed`);
      return;
    default:
      throw notApplicable(`unknown operation ${op}`);
  }
}

function add(document: { root: unknown }, path: string, value: unknown): void {
  const { parent, key } = locate(document, path);
  if (Array.isArray(parent)) parent.splice(key === '-' ? parent.length : Number(key), 0, value);
  else parent[key] = value;
}

function remove(document: { root: unknown }, path: string): unknown {
  const { parent, key } = locate(document, path);
  if (Array.isArray(parent)) {
    if (Number(key) >= parent.length) throw notApplicable(`nothing at ${path}`);
    return parent.splice(Number(key), 1)[0];
  }
  if (!(key in parent)) throw notApplicable(`nothing at ${path}`);
  const value = parent[key];
  delete parent[key];
  return value;
}

function read(document: { root: unknown }, path: string): unknown {
  const { parent, key } = locate(document, path);
  return (parent as Record<string, unknown>)[key];
}

function locate(document: { root: unknown }, path: string): { parent: Record<string, unknown> | unknown[]; key: string } {
  const names = path === '' ? [] : path.slice(1).split('/').map(unescape);
  let parent: unknown = document;
  let key = 'root';
  for (const name of names) {
    parent = (parent as Record<string, unknown>)[key];
    if (!isObject(parent) && !Array.isArray(parent)) throw notApplicable(`nothing at ${path}`);
    key = name;
  }
  return { parent: parent as Record<string, unknown> | unknown[], key };
}

function unescape(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~');
}

function notApplicable(why: string): Error {
  return statusError.invalid({ group: '', kind: 'Patch' }, '', [{ reason: 'FieldValueInvalid', field: 'patch', message: why }]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
