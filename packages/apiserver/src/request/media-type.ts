/** The media type of a Content-Type header, lower-case, without parameters. Nothing sent means JSON (2.6). */
export function bodyType(header: string | undefined): string {
  const type = (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return type === '' ? 'application/json' : type;
}

export const protobufType = 'application/vnd.kubernetes.protobuf';
