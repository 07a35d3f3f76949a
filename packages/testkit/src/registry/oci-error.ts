/** A failed request as the distribution specification writes it: status, code, message. */
export class OciError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'OciError';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  body(): Buffer {
    return Buffer.from(JSON.stringify({ errors: [{ code: this.code, message: this.message }] }));
  }
}

export const blobUnknown = (digest: string): OciError => new OciError(404, 'BLOB_UNKNOWN', `blob ${digest} is not in this repository`);

export const manifestUnknown = (reference: string): OciError =>
  new OciError(404, 'MANIFEST_UNKNOWN', `manifest ${reference} is not in this repository`);
