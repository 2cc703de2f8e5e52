"""What trains what, in the window: who looks at it, the dock of it, and what can be done."""
