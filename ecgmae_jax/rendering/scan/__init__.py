"""What happens to a sheet between the machine and the archive: wear, camera, copier, files."""
