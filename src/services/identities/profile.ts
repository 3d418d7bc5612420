/** Who somebody is at a provider. */
export interface OutsideProfile {
  /** What the provider calls him, for ever. */
  subject: string;
  email: string | null;
  /** Whether the provider has proved that the address is his. */
  is_email_verified: boolean;
  /** What he may be called here, the best first. */
  names: string[];
}
