"""What starts runs or watches them by itself: sensors and schedules."""
