import type { Exchange } from '../http/exchange.ts';
import { isTrue } from './request-info.ts';

const peopleReadTheseAgents = ['curl', 'Wget', 'Mozilla/5.0'];

/** Whether JSON is indented: when asked for, or for tools people look at directly (wire contract 2.4). */
export function wantsPretty(exchange: Exchange): boolean {
  const asked = exchange.query.get('pretty');
  if (asked !== null) return isTrue(asked);
  const agent = exchange.header('user-agent') ?? '';
  return peopleReadTheseAgents.some((prefix) => agent.startsWith(prefix));
}
