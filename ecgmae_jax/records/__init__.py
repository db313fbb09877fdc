"""Recordings: WFDB files in, checked signals in millivolts out. The only room that knows wfdb."""
