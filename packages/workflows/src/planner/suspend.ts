import type { NodeStatus, Template } from '@arc/api/argo';
import { argoDuration } from '../model/go-duration.ts';
import { addNode, deadlineMessage, endNode, wakeAt } from './planning.ts';
import type { Call, Planning } from './planning.ts';
import { timeOf } from './time.ts';

/** Plans a `suspend` template: it waits for its duration, or until somebody marks its node Succeeded (1.7). */
export function runSuspend(planning: Planning, call: Call, template: Template, existing: NodeStatus | undefined): NodeStatus {
  const node =
    existing ??
    addNode(planning, call.nodeName, 'Suspend', {
      templateName: call.templateName,
      boundary: call.boundary,
      phase: 'Running',
      retried: call.retried,
    });
  if (planning.shutdown !== undefined) return endNode(planning, node, 'Failed', `workflow shutdown with strategy: ${planning.shutdown}`);
  if (call.deadline !== undefined) {
    if (planning.now >= call.deadline) return endNode(planning, node, 'Failed', deadlineMessage);
    wakeAt(planning, call.deadline);
  }
  if (template.suspend?.duration === undefined) return node;
  const end = timeOf(node.startedAt, planning.now) + argoDuration(template.suspend.duration, `template ${template.name} suspend.duration`);
  if (planning.now >= end) return endNode(planning, node, 'Succeeded');
  wakeAt(planning, end);
  return node;
}
