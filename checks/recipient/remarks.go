package recipient

import "mailweir/internal/policy"

// remarks say what the administrator may not expect of the flags.
func (c *rule) remarks(*policy.Settings) []string { return nil }
