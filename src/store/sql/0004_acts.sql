-- What the phone's clock said when an act was made, where that was before the act before it: `at` never is.
ALTER TABLE event ADD COLUMN wall_at INTEGER;
