"""Lists of cases: filtered, searched, in pages that cost the same however many there are; and the same as rows to take
away."""
