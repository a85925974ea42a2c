"""Moving frames: time, threads, queues and devices."""
