import { isStatusReason } from '@arc/apimachinery/client';
import { codeOf, messageOf, type Clock } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';

/** What one look at the system has found. */
export interface Finding {
  /** `unknown`: it could not be looked at, for instance for lack of rights. */
  readonly verdict: 'ok' | 'warning' | 'failed' | 'unknown';
  /** What was seen, one sentence without full stop. */
  readonly seen: string;
  /** What to do; absent when nothing is to be done. */
  readonly remedy?: string;
}

/** What checks work with. */
export interface Patient {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A server of `arcctl up`, which needs no cluster. */
  readonly isStandalone: boolean;
  /** The namespace ARC is installed in. */
  readonly installedIn: string;
}

export interface Check {
  /** Short, stable, for programs. */
  readonly id: string;
  readonly title: string;
  /** Means nothing for a standalone server. */
  readonly inClusters?: true;
  readonly look: (patient: Patient) => Promise<readonly Finding[]>;
}

export type CheckedFinding = Finding & { readonly id: string; readonly title: string };

/** Runs a check; what it throws is a finding, too. */
export async function runCheck({ id, title, look }: Check, patient: Patient): Promise<readonly CheckedFinding[]> {
  try {
    return (await look(patient)).map((finding) => ({ id, title, ...finding }));
  } catch (error) {
    patient.signal.throwIfAborted();
    if (isStatusReason(error, 'Forbidden')) {
      return [
        { id, title, verdict: 'unknown', seen: messageOf(error), remedy: 'Run it as a user who may read that, such as an administrator.' },
      ];
    }
    return [{ id, title, verdict: 'failed', seen: `${messageOf(error)} (${codeOf(error) ?? 'unknown error'})` }];
  }
}

/** `a, b, c and 4 more` */
export function some(names: readonly string[], atMost = 5): string {
  const more = names.length - atMost;
  return more > 0 ? `${names.slice(0, atMost).join(', ')} and ${more} more` : names.join(', ');
}
