"""From a score to a decision that can be defended: reasons, change, letter, register."""
