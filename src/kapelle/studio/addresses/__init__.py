"""What can be asked of the studio, a file for each part of the page."""
