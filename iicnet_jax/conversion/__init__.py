"""Users' files through a network: pictures, videos, GIFs and stereo pairs."""
