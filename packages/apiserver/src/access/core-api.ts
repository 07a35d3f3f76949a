/** What a server asks the API server of its cluster; failures are thrown as they come. */
export interface CoreApi {
  /** POSTs a TokenReview (`authentication.k8s.io/v1`) and answers its status. */
  reviewToken(spec: TokenQuestion, signal: AbortSignal): Promise<TokenAnswer>;
  /** POSTs a SubjectAccessReview (`authorization.k8s.io/v1`) and answers its status. */
  reviewAccess(spec: AccessQuestion, signal: AbortSignal): Promise<AccessAnswer>;
}

export interface TokenQuestion {
  readonly token: string;
  readonly audiences?: readonly string[];
}

export interface TokenAnswer {
  readonly authenticated?: boolean;
  readonly user?: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly error?: string;
}

export interface AccessQuestion {
  readonly user: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  readonly resourceAttributes?: Readonly<Record<string, string>>;
  readonly nonResourceAttributes?: { readonly path: string; readonly verb: string };
}

export interface AccessAnswer {
  readonly allowed?: boolean;
  readonly denied?: boolean;
  readonly reason?: string;
  readonly evaluationError?: string;
}
