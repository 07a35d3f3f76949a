/** Who a certificate says has signed. */
export interface CertificateIdentity {
  /** Subject alternative name: an e-mail address or a URI. */
  readonly subject: string;
  /** The OpenID provider that vouched for it. */
  readonly issuer: string;
}
