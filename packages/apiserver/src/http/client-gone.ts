import { ArcError } from '@arc/kernel';

export function clientGone(): ArcError {
  return new ArcError('ClientGone', 'the client closed the connection before the answer was complete');
}
