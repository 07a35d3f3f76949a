import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { decodeYaml } from '@arc/apimachinery';
import { type AuditOptions, defaultAuditPolicy, openAuditLogFile, parseAuditPolicy } from '@arc/apiserver';
import { ArcError, messageOf } from '@arc/kernel';

/**
 * Opens the audit log.
 * @throws ArcError `InvalidAuditPolicy`, `AuditLogUnwritable`.
 */
export async function openAudit(logFile: string, policyFile: string | undefined): Promise<AuditOptions & Disposable> {
  const policy = policyFile === undefined ? defaultAuditPolicy : parseAuditPolicy(await readYaml(resolve(policyFile)));
  const log = openAuditLogFile(resolve(logFile));
  return { policy, write: (line) => log.write(line), [Symbol.dispose]: () => log[Symbol.dispose]() };
}

async function readYaml(file: string): Promise<unknown> {
  try {
    return decodeYaml(await readFile(file)).value;
  } catch (error) {
    throw new ArcError('InvalidAuditPolicy', `the audit policy ${file} cannot be read: ${messageOf(error)}`, {
      hint: 'Name a readable YAML file with --audit-policy.',
      cause: error,
    });
  }
}
