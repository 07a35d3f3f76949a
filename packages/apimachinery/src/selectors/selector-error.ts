import { ApiStatusError } from '../status/api-status-error.ts';

/** A label or field selector that cannot be read or is not allowed here: 400 BadRequest (wire contract 2.3). */
export class SelectorError extends ApiStatusError {
  constructor(message: string) {
    super({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason: 'BadRequest', details: {}, code: 400 });
  }
}
