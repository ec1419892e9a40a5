"""What is fetched about known activities: details, streams, gear, zones."""
