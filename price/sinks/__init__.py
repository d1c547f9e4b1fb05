"""What the recorder keeps at the end of each slot: rows, status, state. A sink may never wait."""
