export type { AccessControl, ExceededQuota, NamespaceLookup, NamespaceState, QuotaDemand, QuotaLedger } from './access/access-control.ts';
export type { AccessAnswer, AccessQuestion, CoreApi, TokenAnswer, TokenQuestion } from './access/core-api.ts';
export { delegatedAccess } from './access/delegated-access.ts';
export type { DelegatedAccessOptions } from './access/delegated-access.ts';
export { createApiServer } from './api-server.ts';
export type { ApiServer, ApiServerOptions } from './api-server.ts';
export { openAuditLogFile } from './audit/audit-log-file.ts';
export type { AuditLogFile, AuditLogFileOptions } from './audit/audit-log-file.ts';
export { defaultAuditPolicy, parseAuditPolicy } from './audit/policy.ts';
export type { AuditDecision, AuditLevel, AuditPolicy, AuditStage } from './audit/policy.ts';
export type { AuditOptions } from './audit/request-audit.ts';
export {
  certificateSecret,
  certificateSecretType,
  credentialNamespace,
  issueToken,
  readCertificateSecret,
  readTokenSecret,
  revocationPatch,
  tokenSecretType,
} from './authn/credential-secrets.ts';
export type { CertificateRecord, CredentialSubject, TokenRecord } from './authn/credential-secrets.ts';
export type { Authenticator } from './authn/authenticator.ts';
export { readExtensionAuthentication } from './authn/extension-authentication.ts';
export type { ExtensionAuthentication } from './authn/extension-authentication.ts';
export type { UserInfo } from './authn/user.ts';
export type { Attributes, Authorization, Authorizer, NonResourceRule, ResourceRule, RuleSet } from './authz/authorizer.ts';
export type { InFlightLimits } from './http/in-flight.ts';
export type { HealthCheck } from './nonresource/health.ts';
export type { VersionInfo } from './nonresource/version.ts';
export type { ConnectAnswer, Connector, ConnectRequest, ReviewHandler, ReviewRequest } from './registry/connector.ts';
export { followFiles } from './tls/follow-files.ts';
export type { Followed, FollowFilesOptions } from './tls/follow-files.ts';
export { followTlsFiles } from './tls/follow-tls-files.ts';
export type { TlsFiles } from './tls/follow-tls-files.ts';
export type { TlsOptions, TlsSource } from './tls/tls-options.ts';
