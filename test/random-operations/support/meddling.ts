import type { ArtifactWorkflow } from '@arc/api/arc';
import type { KubeObject } from '@arc/apimachinery';

/** What operations did from outside that excuses what the controllers do after it. Noted before it is done. */
export class Meddling {
  readonly #deleted = new Set<string>();
  readonly #recorded = new Set<string>();
  readonly #ended = new Set<string>();

  deleted(object: KubeObject): void {
    const uid = object.metadata.uid ?? '';
    this.#deleted.add(uid);
    if (object.kind === 'ArtifactWorkflow' && (object as ArtifactWorkflow).status?.phase === 'Succeeded') this.#recorded.add(uid);
  }

  /** Ended a Workflow before its time. */
  ended(workflow: KubeObject): void {
    this.#ended.add(workflow.metadata.uid ?? '');
  }

  hasDeleted(uid: string): boolean {
    return this.#deleted.has(uid);
  }

  /** True when it was deleted before its success was recorded: then it may be run again. */
  hasUndone(uid: string): boolean {
    return this.#deleted.has(uid) && !this.#recorded.has(uid);
  }

  hasEnded(uid: string): boolean {
    return this.#ended.has(uid);
  }
}
