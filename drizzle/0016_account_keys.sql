-- src/core/account-keys.ts does this step: SQL cannot read international domains.
SELECT 1;
