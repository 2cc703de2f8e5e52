"""Passes: functions Program → Program that keep what a program computes; one file each."""
