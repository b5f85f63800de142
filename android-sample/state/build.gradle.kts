// NEVER RUN in this repository: see settings.gradle.kts. An Android library only because the core comes as one; its sources know no Android.
plugins {
    id("com.android.library")
    kotlin("android")
}

android {
    namespace = "dev.compass.sample"
    compileSdk = 35
    defaultConfig { minSdk = 26 }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    sourceSets["main"].kotlin.srcDirs("src/main/kotlin")
    // Maven runs them, on a JVM.
    sourceSets["test"].kotlin.setSrcDirs(emptyList<String>())
}

kotlin { compilerOptions { jvmTarget = org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_11 } }

dependencies { api("dev.compass:compass-core-android:0.1.0") }
