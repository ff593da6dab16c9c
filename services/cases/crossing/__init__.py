"""Filed at any hall, decided where competent (跨域通办), with the paper trail of who passed what to whom."""
