const dateTime =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[-+]([01]\d|2[0-3]):[0-5]\d)$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** True when the value keeps its OpenAPI format. Formats that Kubernetes does not check are always kept. */
export function hasFormat(value: unknown, format: string): boolean {
  switch (format) {
    case 'date-time':
      return typeof value !== 'string' || (dateTime.test(value) && isRealDate(value));
    case 'byte':
      return typeof value !== 'string' || base64.test(value);
    default:
      return true;
  }
}

function isRealDate(text: string): boolean {
  const day = Number(text.slice(8, 10));
  return day <= new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
}
