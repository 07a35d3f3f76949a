/** Appends a field to a path as Kubernetes prints it: `spec` + `foo` = `spec.foo`. */
export function childPath(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`;
}

/** Appends an index to a path: `spec.items` + 0 = `spec.items[0]`. */
export function indexPath(path: string, index: number): string {
  return `${path}[${index}]`;
}
