/* Must fail everywhere: it builds, but there is no kernel to look at. */
float square(float x);
float square(float x)
{
    return x * x;
}
