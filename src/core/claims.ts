/** Names of work in progress that must not start a second time meanwhile. */
export interface Claims {
  /** Claims `name`; returns false if it is already claimed. */
  claim(name: string): Promise<boolean>;
  release(name: string): Promise<void>;
}

/** Creates claims in the memory of this process: all end with it. */
export function createClaims(): Claims {
  const names = new Set<string>();
  return {
    claim: async (name) => {
      if (names.has(name)) return false;
      names.add(name);
      return true;
    },
    release: async (name) => void names.delete(name),
  };
}
